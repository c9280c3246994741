/**
 * A person's browser without a window, for demos and tests: follows redirects one by one and keeps only the
 * cookie that Firebase Hosting lets through. So what works here works behind Hosting.
 */

const ONLY_COOKIE = '__session';
const DEADLINE_MS = 15_000;
const MAX_REDIRECTS = 10;

/** A page as the person sees it. */
export interface VisitedPage {
  readonly url: URL;
  readonly status: number;
  readonly headers: Headers;
  readonly html: string;
}

/** One browser with its own cookie. */
export interface Browser {
  /** Follows redirects within the starting origin. Ends at a page, or at the first address of another origin. */
  open(url: URL): Promise<VisitedPage | URL>;
  /** Posts a form of `page` as the browser would, and goes on from there. */
  submit(
    page: VisitedPage,
    action: string,
    fields: Readonly<Record<string, string>>,
  ): Promise<VisitedPage | URL>;
  /** The one cookie, as it would be sent. */
  readonly cookie: string;
}

/** @param origin the site's origin; a redirect to any other place ends the visit. */
export function createBrowser(origin: string): Browser {
  let cookie = '';

  const request = async (url: URL, init: RequestInit): Promise<Response> => {
    const headers = new Headers(init.headers);
    if (cookie !== '') headers.set('cookie', cookie);
    const response = await fetch(url, {
      ...init,
      headers,
      redirect: 'manual',
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      if (pair.startsWith(`${ONLY_COOKIE}=`)) cookie = pair;
    }
    return response;
  };

  const follow = async (start: URL, first: RequestInit): Promise<VisitedPage | URL> => {
    let url = start;
    let response = await request(url, first);
    for (let hops = 0; hops < MAX_REDIRECTS; hops += 1) {
      const location = response.headers.get('location');
      if (location === null) {
        return { url, status: response.status, headers: response.headers, html: await response.text() };
      }
      await response.body?.cancel();
      url = new URL(location, url);
      if (url.origin !== origin) return url;
      response = await request(url, {});
    }
    throw new Error(`Gave up after ${MAX_REDIRECTS} redirects.`);
  };

  return {
    open: (url) => follow(url, {}),
    submit: (page, action, fields) =>
      follow(new URL(action, page.url), {
        method: 'POST',
        headers: { origin, 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(fields).toString(),
      }),
    get cookie() {
      return cookie;
    },
  };
}

/** The value of a named field, as the page's markup has it; empty when there is none. */
export function fieldOf(page: VisitedPage, name: string): string {
  return new RegExp(`name="${name}" value="([^"]*)"`).exec(page.html)?.[1] ?? '';
}

/** The addresses that the page's forms are posted to. */
export function formsOf(page: VisitedPage): string[] {
  return [...page.html.matchAll(/<form[^>]* action="([^"]+)"/g)].map((match) => match[1] ?? '');
}
