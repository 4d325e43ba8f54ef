// node oidc.mjs KEY CERTIFICATE_CHAIN CLIENT_CERTIFICATE LIFETIME [AUDIENCE MAILBOX]
// oidc-provider on a free port of 127.0.0.1, by https: its own pages for signing in and consent, refresh
// tokens that are rotated, and revoked when an old one comes twice. Access tokens are opaque; for an
// AUDIENCE they are JWTs, signed with the keys that /jwks publishes (RFC 9068), and those of an
// application are for MAILBOX. Tells what happens on standard output, one JSON object a line.
import crypto from "node:crypto";
import fs from "node:fs";
import https from "node:https";

import Provider from "oidc-provider";

const [key, cert, client] = process.argv.slice(2, 5).map((file) => fs.readFileSync(file));
const lifetime = Number(process.argv[5]);
const [audience, mailbox] = process.argv.slice(6, 8);

const tell = (event, facts) => console.log(JSON.stringify({ event, ...facts }));
const jwk = new crypto.X509Certificate(client).publicKey.export({ format: "jwk" });
const DEVICE = "urn:ietf:params:oauth:grant-type:device_code";

const configuration = {
  clients: [
    {
      client_id: "desk",
      application_type: "native",
      token_endpoint_auth_method: "none",
      redirect_uris: ["http://127.0.0.1"],
      grant_types: ["authorization_code", "refresh_token", DEVICE],
    },
    {
      client_id: "elsewhere",
      application_type: "native",
      token_endpoint_auth_method: "none",
      redirect_uris: ["http://127.0.0.1/other"],
      grant_types: ["authorization_code", "refresh_token"],
    },
    {
      client_id: "platform",
      client_secret: "platform-s3cret+",
      scope: "smtp",
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
    },
    {
      client_id: "signed",
      token_endpoint_auth_method: "private_key_jwt",
      token_endpoint_auth_signing_alg: "RS256",
      jwks: { keys: [{ ...jwk, use: "sig" }] },
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
    },
  ],
  scopes: ["openid", "offline_access", "smtp"],
  claims: { openid: ["sub", "email"] },
  conformIdTokenClaims: false,
  findAccount: (_context, sub) => ({
    accountId: sub,
    claims: () => ({ sub, email: sub }),
  }),
  features: {
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    resourceIndicators: {
      enabled: Boolean(audience),
      defaultResource: () => audience,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({ audience, scope: "smtp", accessTokenFormat: "jwt" }),
    },
    revocation: { enabled: true },
  },
  // Dovecot 2.3 takes no other type: not that of RFC 9068, at+jwt, which is the usual one here.
  formats: { customizers: { jwt: (_context, _token, jwt) => Object.assign(jwt, { header: { typ: "JWT" } }) } },
  extraTokenClaims: (_context, token) => ({ email: token.accountId ?? mailbox }),
  rotateRefreshToken: true,
  ttl: {
    AccessToken: lifetime,
    ClientCredentials: lifetime,
    Grant: 86400,
    IdToken: 3600,
    Interaction: 3600,
    RefreshToken: 86400,
    Session: 86400,
  },
};

// The issuer names the port, which is known only once something listens there.
let handle = (_request, response) => response.writeHead(503).end();
const server = https.createServer({ key, cert }, (request, response) => handle(request, response));
server.on("tlsClientError", () => {});
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address();
  const provider = new Provider(`https://localhost:${port}`, configuration);
  for (const name of ["access_token", "client_credentials"]) {
    provider.on(`${name}.saved`, (token) => tell("issued", { token: token.jti }));
  }
  provider.on("grant.revoked", () => tell("revoked", {}));
  provider.on("grant.error", (_context, error) => tell("refused", { error: error.message }));
  handle = provider.callback();
  tell("listening", { port });
});
