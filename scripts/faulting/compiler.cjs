// The npm build of the compiler in one process that stays: a task in JSON on each line that it reads, the answer on each it writes.
const solc = require("../../contracts/node_modules/solc");

const lines = require("node:readline").createInterface({ input: process.stdin });
lines.on("line", (task) => process.stdout.write(JSON.stringify(JSON.parse(solc.compile(task))) + "\n"));
