//! What a line of an order costs: discount by quantity, then the tax of the country it goes to.
//!
//! Money is whole cents, rates are basis points (1900 = 19 %). Each step rounds half up, on the line
//! and not on the piece, as an invoice does.

use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
pub struct Rules {
    pub currency: String,
    /// The country that the shop sells from.
    pub seller: String,
    pub default_country: String,
    pub countries: BTreeMap<String, Country>,
    pub quantity_discounts: Vec<Discount>,
}

#[derive(Deserialize)]
pub struct Country {
    pub name: String,
    pub eu: bool,
    /// Nothing is charged on what leaves for here.
    #[serde(default)]
    pub export: bool,
    /// By tax class. A class that is not listed pays the standard rate.
    basis_points: BTreeMap<String, u32>,
}

#[derive(Deserialize)]
pub struct Discount {
    from: u32,
    basis_points: u32,
}

#[derive(Debug, PartialEq)]
pub struct Line {
    pub discount_basis_points: u32,
    pub net_cents: u64,
    pub tax_basis_points: u32,
    pub tax_cents: u64,
    pub reason: String,
}

fn share(cents: u64, basis_points: u32) -> u64 {
    (cents * u64::from(basis_points) + 5_000) / 10_000
}

impl Country {
    fn rate(&self, class: &str) -> u32 {
        let standard = self.basis_points.get("standard").copied().unwrap_or(0);
        self.basis_points.get(class).copied().unwrap_or(standard)
    }
}

impl Rules {
    fn discount(&self, quantity: u32) -> u32 {
        let reached = self.quantity_discounts.iter().filter(|step| quantity >= step.from);
        reached.map(|step| step.basis_points).max().unwrap_or(0)
    }

    /// The rate, and why it is that one. `business`: the buyer has a VAT number.
    fn rate(&self, code: &str, country: &Country, class: &str, business: bool) -> (u32, String) {
        if country.export {
            (0, format!("export to {}", country.name))
        } else if business && country.eu && code != self.seller {
            (0, format!("reverse charge, the buyer in {} pays the tax", country.name))
        } else {
            (country.rate(class), format!("{} rate of {}", class, country.name))
        }
    }

    /// None if the country is not served.
    pub fn line(&self, code: &str, class: &str, price_cents: u64, quantity: u32, business: bool) -> Option<Line> {
        let country = self.countries.get(code)?;
        let discount = self.discount(quantity);
        let full = price_cents * u64::from(quantity);
        let net = full - share(full, discount);
        let (rate, reason) = self.rate(code, country, class, business);
        Some(Line {
            discount_basis_points: discount,
            net_cents: net,
            tax_basis_points: rate,
            tax_cents: share(net, rate),
            reason,
        })
    }
}
