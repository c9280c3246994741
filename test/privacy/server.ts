import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Outside } from '../../src/audit/outside.ts';
import { Documents } from '../../src/clinic/documents/documents.ts';
import type { VisitedPage } from '../../src/dev/user-agent/browser.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import type { ErasureParts } from '../../src/lifecycle/erasure/erase.ts';
import { privacyRound } from '../../src/lifecycle/privacy-round.ts';
import { PrivacyDesk } from '../../src/privacy/desk.ts';
import { createPrivacyPages } from '../../src/privacy/privacy.ts';
import { RequestReviews } from '../../src/privacy/reviews.ts';
import { openClinic } from '../access/people.ts';
import { memoryOutside } from '../attacks/audit/scene.ts';
import { memoryObjects } from '../doubles/memory-objects.ts';
import { pageGround } from '../stack/own-pages.ts';
import { visitorOf } from '../stack/visitor.ts';

/** The privacy pages over HTTP, on a clinic in memory. */
export async function startPrivacy() {
  const clinic = await openClinic();
  const { store, services, charts, keys, secrets, time } = clinic;
  const { audit, requests } = services;
  const clock = (): number => time.now;
  await clinic.join('usr_admin2', 'admin');
  const parts: ErasureParts = {
    ...{ store, charts, keys, secrets, audit, requests, clock },
    objects: memoryObjects(),
    rules: { recordMs: 0, backupMs: 0 },
    outside: new Outside(memoryOutside()),
    forgetAccount: async () => {},
  };
  const documents = new Documents(parts);
  const faults: unknown[] = [];
  const server = createServer((req, res) => void pages.handle(req, res));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const pages = createPrivacyPages({
    ...pageGround({ store, audit, clock, origin, faults }),
    desk: new PrivacyDesk({ ...services, ...parts, documents }),
    reviews: new RequestReviews({ ...parts, policies: services.policies }),
  });
  const round = () =>
    privacyRound(parts, ['riverside' as TenantId], { onFault: (error) => faults.push(error) });
  const visitor = () => visitorOf(origin, '/privacy');
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { ...clinic, origin, faults, visitor, round, parts, documents, close };
}

export const headingOf = (page: VisitedPage): string => /<h1>([^<]*)<\/h1>/.exec(page.html)?.[1] ?? '';
/** What the page says went wrong. */
export const problemOf = (page: VisitedPage): string =>
  /class="error" role="alert">([^<]*)</.exec(page.html)?.[1] ?? '';
