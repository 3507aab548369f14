// Mocks of the whole package, as jest.mock and vi.mock make them, and spies on a real client. `fn` is jest or vi.

/** With the package automocked. */
export function mocked(test, { DigitalpayeAuth, authenticate, AuthError }, expect) {
  test("an automock gives what the test says", async () => {
    authenticate.mockResolvedValue({ token: "mocked", exp: 1 });
    expect(await authenticate({})).toEqual({ token: "mocked", exp: 1 });

    const auth = new DigitalpayeAuth({ apiKey: "key", apiSecret: "secret" });
    expect(DigitalpayeAuth).toHaveBeenCalledTimes(1);
    expect(await auth.getToken()).toBeUndefined();
    auth.getToken.mockResolvedValue({ token: "mocked", exp: 1 });
    expect((await auth.getToken()).token).toBe("mocked");
    auth.fetch.mockResolvedValue({ status: 200 });
    expect((await auth.fetch("v1/balance")).status).toBe(200);
    expect(auth.fetch).toHaveBeenCalledWith("v1/balance");
    auth.invalidate("token");
    expect(auth.invalidate).toHaveBeenCalledWith("token");
    expect(typeof AuthError).toBe("function");
  });
}

/** With the real package. */
export function spied(test, fn, { DigitalpayeAuth }, expect) {
  const auth = () => new DigitalpayeAuth({ apiKey: "key", apiSecret: "secret", fetch: () => Promise.reject(new Error("no network here")) });

  test("a spy on the prototype is what every client calls", async () => {
    const before = auth();
    const spy = fn.spyOn(DigitalpayeAuth.prototype, "getToken").mockResolvedValue({ token: "spied", exp: 1 });
    for (const client of [before, auth()]) expect((await client.getToken()).token).toBe("spied");
    expect(spy).toHaveBeenCalledTimes(2);
    spy.mockRestore();
  });

  test("a spy on one client is that client's alone", async () => {
    const [one, other] = [auth(), auth()];
    const spy = fn.spyOn(one, "getToken").mockResolvedValue({ token: "spied", exp: 1 });
    expect((await one.getToken()).token).toBe("spied");
    await expect(other.getToken({ signal: AbortSignal.abort("gone") })).rejects.toBe("gone");
    expect(spy).toHaveBeenCalledTimes(1);
    spy.mockRestore();
    await expect(one.getToken({ signal: AbortSignal.abort("gone") })).rejects.toBe("gone");
  });
}
