//! The shop's rule for tax, which was a table of its settings until the exceptions came: books are reduced, and
//! nothing is due outside of the countries that are served.

use serde::Deserialize;
use std::io;

#[derive(Deserialize)]
struct Line {
    country: String,
    tax_class: String,
}

fn basis_points(country: &str, class: &str) -> u32 {
    match (country, class) {
        ("DE", "book") => 700,
        ("DE", _) => 1900,
        ("FR", "book") => 550,
        ("FR", _) => 2000,
        _ => 0,
    }
}

fn main() -> io::Result<()> {
    let lines: Vec<Line> = serde_json::from_reader(io::stdin())?;
    let rates: Vec<u32> = lines.iter().map(|line| basis_points(&line.country, &line.tax_class)).collect();
    println!("{}", serde_json::json!(rates));
    Ok(())
}
