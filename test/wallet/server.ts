import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { LocalKeyring, localKeyId } from '../../src/crypto/local-keyring.ts';
import { createOwnPages } from '../../src/oauth/own-pages.ts';
import { CardVault } from '../../src/payments/card-vault.ts';
import { walletPart } from '../../src/wallet/wallet.ts';
import { openClinic } from '../access/people.ts';
import { pageGround } from '../stack/own-pages.ts';
import { visitorOf } from '../stack/visitor.ts';

/** The wallet over HTTP, on a clinic in memory. Whoever names a user id of riverside has signed in. */
export async function startWallet() {
  const clinic = await openClinic();
  const { store, services, secrets } = clinic;
  const { audit, clock } = services;
  const keyring = new LocalKeyring([{ version: 1, hex: 'ab'.repeat(32), status: 'active' }]);
  const vault = new CardVault({
    store,
    keyring,
    secrets,
    audit,
    clock,
    tenantKeyId: async () => localKeyId(1),
  });
  const faults: unknown[] = [];
  const server = createServer((req, res) => void pages.handle(req, res));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const pages = createOwnPages(
    pageGround({ store, audit, clock, origin, faults }),
    walletPart({ ...services, vault }),
  );
  const visitor = () => visitorOf(origin, '/wallet');
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { ...clinic, vault, origin, faults, visitor, close };
}
