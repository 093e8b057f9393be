// Computes a graph's layout: reads ELK's JSON from standard input, writes it with positions added.
"use strict";

const ELK = require("elkjs/lib/elk.bundled.js");

let text = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (part) => { text += part; });
process.stdin.on("end", async () => {
  process.stdout.write(JSON.stringify(await new ELK().layout(JSON.parse(text))));
});
