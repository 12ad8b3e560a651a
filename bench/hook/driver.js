// What the hook benchmark measures from Node.
//
// driver.js PACKAGE FOLDER POINT INPUT COUNT: lines "p50 X" of callSync with an object in and out, "raw X" of
// callRawSync, "async X" of call, one after another: in microseconds. A fifth of COUNT comes first and is not measured.
'use strict';
const { readFileSync } = require('node:fs');
const [carrelAt, folder, point, file, times] = process.argv.slice(2);
const carrel = require(carrelAt);
const count = Number(times);
const text = readFileSync(file, 'utf8');
const cart = JSON.parse(text);
const app = carrel.openSync(folder);

function median(took) {
  const values = took.slice(took.length / 6).map(Number).sort((a, b) => a - b);
  return values[values.length >> 1] / 1000;
}

function measure(name, once) {
  const took = [];
  for (let i = 0; i < count * 1.2; ++i) {
    const begin = process.hrtime.bigint();
    once();
    took.push(process.hrtime.bigint() - begin);
  }
  console.log(name, median(took));
}

(async () => {
  if (app.callSync(point, cart).discount !== 2) throw new Error('another answer');
  measure('p50', () => app.callSync(point, cart));
  measure('raw', () => app.callRawSync(point, text));
  const took = [];
  for (let i = 0; i < count / 5; ++i) {
    const begin = process.hrtime.bigint();
    await app.call(point, cart);
    took.push(process.hrtime.bigint() - begin);
  }
  console.log('async', median(took));
})();
