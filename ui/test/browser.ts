// A minimal browser for tests that import the state of the page. Must be imported first.
Object.assign(globalThis, {
  location: { pathname: "/status", search: "", origin: "http://x" },
  addEventListener: () => undefined,
  innerWidth: 1000,
  matchMedia: () => ({ matches: false, addEventListener: () => undefined }),
  localStorage: { getItem: () => null, setItem: () => undefined },
  history: {
    pushState: (_: unknown, __: string, to: string) => {
      [location.pathname, location.search] = to.split(/(?=\?)/).concat("") as [string, string];
    },
  },
});

export {};
