import { createBrowser, fieldOf, type VisitedPage } from '../../src/dev/user-agent/browser.ts';

/** Somebody at pages of ours with a fresh sign-in, which lie below `path`. Whoever names a user id has signed in. */
export function visitorOf(origin: string, path: string) {
  const browser = createBrowser(origin);
  const pageOf = async (visit: Promise<VisitedPage | URL>): Promise<VisitedPage> => {
    const page = await visit;
    if (page instanceof URL) throw new Error(`Sent away to ${page.host}.`);
    return page;
  };
  const open = (at = path) => pageOf(browser.open(new URL(at, origin)));
  return {
    browser,
    open,
    submit: (page: VisitedPage, action: string, fields: Record<string, string> = {}) =>
      pageOf(browser.submit(page, action, { csrf: fieldOf(page, 'csrf'), ...fields })),
    signIn: async (user: string) =>
      pageOf(browser.submit(await open(), `${path}/sign-in`, { idToken: user })),
  };
}
