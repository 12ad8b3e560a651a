//! A customer's discount: PERCENT off for who has ordered EVERY_ORDERS times. The shop's function customer.orders
//! knows how often.

use serde::Deserialize;
use std::{
    env,
    fs::OpenOptions,
    io::{self, Read, Write},
};

#[derive(Deserialize)]
struct Cart {
    customer: String,
    total_cents: u64,
}

#[derive(Deserialize)]
struct Orders {
    count: u64,
}

fn number(name: &str) -> u64 {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn orders(customer: &str) -> io::Result<u64> {
    let mut call = OpenOptions::new().read(true).write(true).open("/app/customer.orders")?;
    call.write_all(serde_json::json!({ "customer": customer }).to_string().as_bytes())?;
    let mut answer = String::new();
    call.read_to_string(&mut answer)?;
    Ok(serde_json::from_str::<Orders>(&answer)?.count)
}

fn main() -> io::Result<()> {
    let cart: Cart = serde_json::from_reader(io::stdin())?;
    if orders(&cart.customer)? >= number("EVERY_ORDERS") {
        let cents = cart.total_cents * number("PERCENT") / 100;
        println!("{}", serde_json::json!({ "label": "Thank you for coming back", "cents": cents }));
    }
    Ok(())
}
