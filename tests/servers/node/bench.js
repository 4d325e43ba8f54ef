// node bench.js HOST PORT CA_FILE USERNAME MAILS CONNECTIONS
// nodemailer's pool over TLS from the start. Prints, as JSON, the seconds and the CPU seconds of sending.
"use strict";

const fs = require("fs");
const nodemailer = require("nodemailer");

const [host, port, ca, user, mails, connections] = process.argv.slice(2);
const transport = nodemailer.createTransport({
  pool: true,
  maxConnections: Number(connections),
  maxMessages: Infinity,
  host,
  port: Number(port),
  secure: true,
  name: "client.example.test",
  tls: { ca: fs.readFileSync(ca) },
  ...(user ? { auth: { user, pass: "s3cret" } } : {}),
});
const text = ("x".repeat(70) + "\r\n").repeat(24);
const mail = { from: "desk@example.test", to: "x@discard.test", subject: "bench", text };

async function send(count) {
  let left = count;
  const work = async () => {
    while (left > 0) {
      left -= 1;
      await transport.sendMail(mail);
    }
  };
  await Promise.all(Array.from({ length: Number(connections) }, work));
}

(async () => {
  await send(Number(connections)); // the connections are open
  const cpu = process.cpuUsage();
  const began = process.hrtime.bigint();
  await send(Number(mails));
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  const { user: mine, system } = process.cpuUsage(cpu);
  console.log(JSON.stringify({ seconds, cpu: (mine + system) / 1e6 }));
  process.exit(0);
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
