// node server.js KEY CERTIFICATE_CHAIN
// nodemailer's SMTP server on two free ports of 127.0.0.1, one with STARTTLS, one with TLS from the
// start. Tells what happens on standard output, one JSON object a line.
"use strict";

const fs = require("fs");
const { SMTPServer } = require("smtp-server");

const [key, cert] = process.argv.slice(2).map((file) => fs.readFileSync(file));
const PASSWORDS = { desk: "s3cret" };

const tell = (event, facts) => console.log(JSON.stringify({ event, ...facts }));
const refusal = (responseCode, text) => Object.assign(new Error(text), { responseCode });

const options = {
  key,
  cert,
  name: "mail.example.test",
  size: 10240000,
  authMethods: ["PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2"],
  disableReverseLookup: true,

  onAuth(auth, session, done) {
    const password = PASSWORDS[auth.username];
    const given = auth.method === "XOAUTH2" ? auth.accessToken : auth.password;
    const right =
      password !== undefined &&
      (auth.method === "CRAM-MD5" ? auth.validatePassword(password) : given === password);
    tell("auth", { method: auth.method, username: auth.username, right });
    if (right) return done(null, { user: auth.username });
    return done(refusal(535, "5.7.8 bad credentials"));
  },

  onRcptTo({ address }, session, done) {
    if (address.startsWith("reject@")) return done(refusal(550, "5.7.1 refused by policy"));
    if (address.startsWith("tempfail@")) return done(refusal(450, "4.2.1 try later"));
    return done();
  },

  onData(stream, session, done) {
    const parts = [];
    stream.on("data", (part) => parts.push(part));
    stream.on("end", () => {
      if (stream.sizeExceeded) return done(refusal(552, "5.3.4 message too big"));
      tell("message", {
        mail_from: session.envelope.mailFrom.address || "",
        recipients: session.envelope.rcptTo.map((recipient) => recipient.address),
        username: session.user,
        secure: session.secure,
        content: Buffer.concat(parts).toString("base64"),
      });
      return done(null, "2.0.0 queued");
    });
  },
};

for (const [name, secure] of [["starttls", false], ["tls", true]]) {
  const server = new SMTPServer({ ...options, secure });
  // Without a listener one aborted TLS handshake would end the process.
  server.on("error", (error) => tell("error", { name, text: String(error) }));
  server.listen(0, "127.0.0.1", () => tell("listening", { name, port: server.server.address().port }));
}
