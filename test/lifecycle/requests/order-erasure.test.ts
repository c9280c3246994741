import { expect, test } from 'vitest';
import type { UserId } from '../../../src/kernel/ids.ts';
import { orderErasure } from '../../../src/lifecycle/requests/order-erasure.ts';
import { openClinic } from '../../access/people.ts';
import { eventsOf, TENANT } from '../../mcp/house.ts';

test('ordered by several at once it is one request in its cooling-off, each step taken once', async () => {
  const clinic = await openClinic();
  const { requests, audit } = clinic.services;
  const parts = { requests, audit, secrets: clinic.secrets, keys: clinic.keys };
  const [by, approver] = ['usr_admin' as UserId, 'usr_admin2' as UserId];
  const order = { of: { tenant: TENANT, patient: clinic.john }, by, approver, now: clinic.time.now };
  const views = await Promise.all(Array.from({ length: 5 }, () => orderErasure(parts, order)));
  views.push(await orderErasure(parts, order));
  expect(new Set(views.map(({ id, state }) => `${id} ${state}`)).size).toBe(1);
  expect(views[0]?.state).toBe('cooling');
  const steps = (await eventsOf(clinic.services)).flatMap(({ operation, entity }) =>
    entity?.id === views[0]?.id ? [operation] : [],
  );
  expect(steps).toEqual([
    ...['startPrivacyRequest', 'confirmPrivacyRequest', 'reviewPrivacyRequest', 'reviewPrivacyRequest'],
  ]);
});
