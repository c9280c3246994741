import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Documents } from '../../src/clinic/documents/documents.ts';
import { fieldOf, type VisitedPage } from '../../src/dev/user-agent/browser.ts';
import { documentsPart } from '../../src/documents/documents.ts';
import { createOwnPages } from '../../src/oauth/own-pages.ts';
import { openClinic } from '../access/people.ts';
import { memoryObjects } from '../doubles/memory-objects.ts';
import { pageGround } from '../stack/own-pages.ts';
import { visitorOf } from '../stack/visitor.ts';

/** What a form with a file carries. */
export interface Sent {
  readonly bytes: Uint8Array<ArrayBuffer> | string;
  readonly fileName?: string;
  readonly type?: string;
  readonly title?: string;
  readonly kind?: string;
}

/** The documents' pages over HTTP, on a clinic in memory. Whoever names a user id of riverside has signed in. */
export async function startDocuments() {
  const clinic = await openClinic();
  const { store, services, charts, index } = clinic;
  const { audit, clock } = services;
  const objects = memoryObjects();
  const documents = new Documents({ store, charts, objects, audit, clock });
  const faults: unknown[] = [];
  /** As on Cloud Functions, whose framework reads every body before we do. */
  const platform = { readsBody: false };
  const server = createServer(async (req: IncomingMessage & { rawBody?: Buffer }, res) => {
    if (platform.readsBody) req.rawBody = Buffer.concat(await req.toArray());
    await pages.handle(req, res);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const pages = createOwnPages(
    pageGround({ store, audit, clock, origin, faults }),
    documentsPart({ ...services, documents, find: (tenant, by) => index.find(tenant, by) }),
  );
  const visitor = () => visitorOf(origin, '/documents');
  type Visitor = ReturnType<typeof visitor>;
  const post = (
    { browser }: Pick<Visitor, 'browser'>,
    path: string,
    body: FormData | URLSearchParams | string,
    headers: Record<string, string> = {},
  ): Promise<Response> =>
    fetch(`${origin}${path}`, {
      method: 'POST',
      headers: { origin, cookie: browser.cookie, ...headers },
      body,
      redirect: 'manual',
    });
  /** Sends the form of a page, as a browser would. */
  const send = async (who: Visitor, page: VisitedPage, path: string, sent: Sent) => {
    const response = await post(who, path, formOf(fieldOf(page, 'csrf'), sent));
    return { status: response.status, html: await response.text() };
  };
  const open = async (who: Visitor, page: VisitedPage, path: string, id: string) =>
    post(who, path, new URLSearchParams({ csrf: fieldOf(page, 'csrf'), id }));
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return {
    ...clinic,
    ...{ documents, objects, origin, faults, platform, visitor, post, send, open, close },
  };
}

export function formOf(csrf: string, sent: Sent): FormData {
  const { bytes, fileName = 'letter.pdf', type = 'application/pdf', title = '', kind = 'letter' } = sent;
  const form = new FormData();
  for (const [name, value] of Object.entries({ csrf, kind, title })) form.append(name, value);
  form.append('file', new Blob([bytes], { type }), fileName);
  return form;
}
