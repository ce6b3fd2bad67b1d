#!/usr/bin/env node
// The npm build of the compiler as an executable that answers --version and --standard-json.
const { readFileSync, writeSync } = require("node:fs");
const solc = require("../../contracts/node_modules/solc");

if (process.argv.includes("--version")) {
  console.log(`solc, the solidity compiler\nVersion: ${solc.version()}`);
} else if (process.argv.includes("--standard-json")) {
  const output = Buffer.from(solc.compile(readFileSync(0, "utf8")));
  for (let written = 0; written < output.length; ) written += writeSync(1, output, written);
} else {
  console.error("expected --version or --standard-json");
  process.exit(1);
}
