import * as oauth from "oauth4webapi";

export function client(url) {
  const server = { issuer: url, token_endpoint: `${url}/token` };
  const application = { client_id: "key" };
  const authentication = oauth.ClientSecretBasic("secret");
  return {
    async exchange() {
      const response = await oauth.clientCredentialsGrantRequest(server, application, authentication, {}, {
        [oauth.allowInsecureRequests]: true,
      });
      const { access_token: token, expires_in: life } = await oauth.processClientCredentialsResponse(server, application, response);
      return { token, life };
    },
  };
}
