// GET /chart/sales.svg?category=books: the sales of each month as stacked columns.
//
// Reads /assets/sales.csv (month,category,cents) and draws SVG: one column a month, one colour a
// category, lines at round amounts behind them.

import { fail, print, readFile, variable } from "./wasi";

const WIDTH: f64 = 720;
const HEIGHT: f64 = 360;
const LEFT: f64 = 64;
const RIGHT: f64 = 16;
const TOP: f64 = 48;
const BOTTOM: f64 = 64;
const COLOURS = ["#9a3412", "#d97706", "#4d7c0f", "#0e7490", "#6d28d9", "#be185d"];

class Sales {
  months: string[] = [];
  categories: string[] = [];
  cents: Map<string, i64> = new Map();

  add(month: string, category: string, cents: i64): void {
    if (!this.months.includes(month)) this.months.push(month);
    if (!this.categories.includes(category)) this.categories.push(category);
    const key = month + "," + category;
    this.cents.set(key, this.at(month, category) + cents);
  }

  at(month: string, category: string): i64 {
    const key = month + "," + category;
    return this.cents.has(key) ? this.cents.get(key) : 0;
  }

  total(month: string): i64 {
    let sum: i64 = 0;
    for (let i = 0; i < this.categories.length; i++) sum += this.at(month, this.categories[i]);
    return sum;
  }
}

function parse(csv: string, only: string): Sales {
  const sales = new Sales();
  const lines = csv.split("\n");
  for (let i = 1; i < lines.length; i++) {
    const fields = lines[i].trim().split(",");
    if (fields.length != 3 || (only != "" && fields[1] != only)) continue;
    sales.add(fields[0], fields[1], I64.parseInt(fields[2]));
  }
  return sales;
}

function queryValue(key: string): string {
  const pairs = variable("QUERY_STRING").split("&");
  for (let i = 0; i < pairs.length; i++) {
    if (pairs[i].startsWith(key + "=")) return pairs[i].substring(key.length + 1);
  }
  return "";
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

/** One, two or five times a power of ten, so that four to ten lines fit below `highest`. */
function lineStep(highest: f64): f64 {
  let step: f64 = 1;
  while (highest / step > 10) step *= 10;
  if (highest / step < 2) return step / 5;
  return highest / step < 4 ? step / 2 : step;
}

function round(value: f64): string {
  const tenths = <i64>Math.round(value * 10);
  return `${tenths / 10}.${tenths % 10}`;
}

class Chart {
  parts: string[] = [];
  highest: f64 = 0;
  sign: string = "";

  constructor(private sales: Sales) {
    for (let i = 0; i < sales.months.length; i++) {
      this.highest = Math.max(this.highest, <f64>sales.total(sales.months[i]));
    }
  }

  y(cents: f64): f64 {
    return HEIGHT - BOTTOM - (cents / this.highest) * (HEIGHT - TOP - BOTTOM);
  }

  lines(): void {
    const step = lineStep(this.highest);
    for (let cents: f64 = 0; cents <= this.highest; cents += step) {
      const y = round(this.y(cents));
      const label = `${this.sign}${<i64>(cents / 100)}`;
      this.parts.push(`<line x1="${LEFT}" y1="${y}" x2="${WIDTH - RIGHT}" y2="${y}" stroke="#ddd5c7"/>`);
      this.parts.push(`<text x="${LEFT - 8}" y="${y}" text-anchor="end" dy="4">${label}</text>`);
    }
  }

  column(index: i32): void {
    const month = this.sales.months[index];
    const slot = (WIDTH - LEFT - RIGHT) / <f64>this.sales.months.length;
    const x = LEFT + slot * (<f64>index + 0.15);
    let below: f64 = 0;
    for (let i = 0; i < this.sales.categories.length; i++) {
      const category = this.sales.categories[i];
      const cents = this.sales.at(month, category);
      const top = this.y(below + <f64>cents);
      const height = this.y(below) - top;
      below += <f64>cents;
      this.parts.push(`<rect x="${round(x)}" y="${round(top)}" width="${round(slot * 0.7)}" ` +
        `height="${round(height)}" fill="${COLOURS[i % COLOURS.length]}">` +
        `<title>${escape(category)}, ${escape(month)}: ${this.sign}${cents / 100}</title></rect>`);
    }
    this.parts.push(`<text x="${round(x + slot * 0.35)}" y="${HEIGHT - BOTTOM + 18}" ` +
      `text-anchor="middle">${escape(month.substring(2))}</text>`);
  }

  legend(): void {
    let x = LEFT;
    for (let i = 0; i < this.sales.categories.length; i++) {
      const name = this.sales.categories[i];
      this.parts.push(`<rect x="${x}" y="${HEIGHT - 28}" width="12" height="12" fill="${COLOURS[i % COLOURS.length]}"/>`);
      this.parts.push(`<text x="${x + 18}" y="${HEIGHT - 18}">${escape(name)}</text>`);
      x += 40 + 8 * <f64>name.length;
    }
  }

  draw(): string {
    this.parts.push(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${<i32>WIDTH} ${<i32>HEIGHT}" ` +
      `width="${<i32>WIDTH}" height="${<i32>HEIGHT}" font-family="Georgia, serif" font-size="12" fill="#26231f">`);
    this.parts.push(`<title>Sales by month and category</title>`);
    this.parts.push(`<text x="${LEFT}" y="26" font-size="18">Sales by month and category</text>`);
    this.lines();
    for (let i = 0; i < this.sales.months.length; i++) this.column(i);
    this.legend();
    this.parts.push("</svg>");
    return this.parts.join("\n");
  }
}

export function _start(): void {
  const csv = readFile("/assets/sales.csv");
  if (csv == null) fail("chart: /assets/sales.csv cannot be read");
  const sales = parse(csv!, queryValue("category"));
  if (sales.months.length == 0) {
    print("Status: 404\nContent-Type: application/problem+json\n\n" +
      '{"type":"about:blank","title":"Not Found","status":404,"detail":"nothing was sold in this category"}\n');
    return;
  }
  const chart = new Chart(sales);
  chart.sign = escape(variable("CURRENCY_SIGN"));
  print("Content-Type: image/svg+xml\n\n" + chart.draw() + "\n");
}
