/**
 * The page's Content-Security-Policy: in the built page as a meta tag, and as it is for a header (README.md).
 *
 * - `'wasm-unsafe-eval'` lets the package compile its module; it allows no `eval`.
 * - `connect-src`: whoever uses the page says which API it asks. It is exactly what the package takes as `baseUrl`: https
 *   anywhere, http on this machine.
 * - Trusted Types without a policy: nothing on this page can turn text into markup.
 */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "connect-src 'self' https: http://127.0.0.1:* http://localhost:*",
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");
