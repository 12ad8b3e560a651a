//! GET /price/:sku?country=DE&qty=3&vat_id=...: the price of a product, tax and discount included.

mod cgi;
mod tax;

use serde::{Deserialize, de::DeserializeOwned};
use std::{fs, process::ExitCode};

const MAX_QUANTITY: u32 = 10_000;

#[derive(Deserialize)]
struct Product {
    sku: String,
    name: String,
    price_cents: u64,
    tax_class: String,
    stock: u32,
}

fn asset<T: DeserializeOwned>(name: &str) -> Result<T, String> {
    let text = fs::read(format!("/assets/{name}")).map_err(|e| format!("{name}: {e}"))?;
    serde_json::from_slice(&text).map_err(|e| format!("{name}: {e}"))
}

fn money(cents: u64, currency: &str) -> String {
    format!("{}.{:02} {currency}", cents / 100, cents % 100)
}

fn quote(product: &Product, rules: &tax::Rules) {
    let country = cgi::query("country").unwrap_or_else(|| rules.default_country.clone());
    let quantity = match cgi::query("qty").map_or(Ok(1), |text| text.parse::<u32>()) {
        Ok(n) if (1..=MAX_QUANTITY).contains(&n) => n,
        _ => {
            let detail = format!("qty must be a whole number from 1 to {MAX_QUANTITY}");
            return cgi::problem(422, "Unprocessable Content", &detail);
        }
    };
    let business = cgi::query("vat_id").is_some_and(|id| !id.is_empty());
    let class = &product.tax_class;
    let Some(line) = rules.line(&country, class, product.price_cents, quantity, business) else {
        let served: Vec<_> = rules.countries.keys().map(String::as_str).collect();
        let detail = format!("no deliveries to {country:?}, only to {}", served.join(", "));
        return cgi::problem(422, "Unprocessable Content", &detail);
    };
    let gross = line.net_cents + line.tax_cents;
    let body = serde_json::json!({
        "sku": product.sku,
        "name": product.name,
        "country": country,
        "quantity": quantity,
        "in_stock": quantity <= product.stock,
        "unit_cents": product.price_cents,
        "discount_basis_points": line.discount_basis_points,
        "net_cents": line.net_cents,
        "tax_basis_points": line.tax_basis_points,
        "tax_cents": line.tax_cents,
        "tax_reason": line.reason,
        "gross_cents": gross,
        "gross": money(gross, &rules.currency),
    });
    cgi::reply(200, "application/json", &body.to_string());
}

fn main() -> ExitCode {
    let files = asset::<Vec<Product>>("products.json").and_then(|p| Ok((p, asset("tax.json")?)));
    let (products, rules) = match files {
        Ok(both) => both,
        Err(cause) => {
            eprintln!("price: {cause}");
            return ExitCode::FAILURE;
        }
    };
    let sku = cgi::route_parameter("sku");
    match products.iter().find(|product| product.sku == sku) {
        Some(product) => quote(product, &rules),
        None => cgi::problem(404, "Not Found", &format!("no product {sku:?}")),
    }
    ExitCode::SUCCESS
}
