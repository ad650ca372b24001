// Reads `go test -json` and prints what a person wants to see: the numbers of the proofs, the output of what failed, and the name of what was skipped, which here is a
// failure too. Its last line is "PASSED FAILED", for scripts/test.sh. Usage: node gotest-report.mjs < events
import { createInterface } from "node:readline";

const output = new Map(); // "package test" → what it printed, kept until it passes
const failedIn = new Set(); // packages with a failed test
// What a proof has to say even if it holds: the score of the guards, the numbers of the storm.
const numbers = /^\s*(guard score:|payments   |double charges|lost payments|unsettled payments|fault to true state)/;
let passed = 0;
let failed = 0;

const report = (title, key) => console.log(`--- ${title}\n${(output.get(key) ?? []).join("")}`);

for await (const line of createInterface({ input: process.stdin })) {
  let event;
  try {
    event = JSON.parse(line);
  } catch {
    console.log(line); // go itself, saying why it can't begin
    continue;
  }
  const of = event.Package ?? event.ImportPath ?? "";
  const key = `${of} ${event.Test ?? ""}`;
  switch (event.Action) {
    case "output":
    case "build-output":
      if (!output.has(key)) output.set(key, []);
      output.get(key).push(event.Output);
      if (numbers.test(event.Output)) console.log("      " + event.Output.trim());
      break;
    case "pass":
      if (event.Test) passed++;
      output.delete(key);
      break;
    case "skip":
      if (!event.Test) break; // a package without tests
      failed++;
      failedIn.add(of);
      report(`SKIPPED ${of} ${event.Test}`, key);
      break;
    case "build-fail":
      report(`DOES NOT BUILD ${of}`, key);
      break;
    case "fail":
      if (event.Test) {
        failed++;
        failedIn.add(of);
        report(`FAILED ${of} ${event.Test}`, key);
      } else if (!failedIn.has(of)) { // did not build, crashed outside a test, or ran out of time
        failed++;
        report(`FAILED ${of}`, key);
      }
      break;
  }
}
console.log(`${passed} ${failed}`);
