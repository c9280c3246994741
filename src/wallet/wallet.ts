import { findMember } from '../access/members.ts';
import type { AuditEntry } from '../audit/append.ts';
import type { Clock } from '../kernel/clock.ts';
import type { PatientId } from '../kernel/ids.ts';
import type { Store } from '../kernel/store.ts';
import type { OwnPart, OwnVisit } from '../oauth/own-pages.ts';
import { type Permit, type PermitParts, permit } from '../oauth/page-permit.ts';
import type { Page } from '../oauth/pages.ts';
import { readCard } from '../payments/card-number.ts';
import type { CardVault } from '../payments/card-vault.ts';
import { PaymentError } from '../payments/errors.ts';
import { nobodyPage, walletPage } from './pages.ts';

/** What the page stands on. */
export interface WalletParts extends PermitParts {
  readonly store: Store;
  readonly vault: CardVault;
  readonly clock: Clock;
}

const PATH = '/wallet';
const CLIENT = 'wallet-page';
/** HL7 v3 PurposeOfUse. */
const PURPOSE = 'HPAYMT';

/** The page on which a person keeps and removes their cards. */
export const walletPart = (parts: WalletParts): OwnPart => ({
  path: PATH,
  door: {
    operation: 'wallet-sign-in',
    client: CLIENT,
    policy: 'sign-in',
    roles: ['patient'],
    wrongRole: 'This page is for patients, about their own cards. Nothing was shown.',
  },
  words: {
    title: 'Your cards',
    lead: 'Keep a card for the clinic to charge, or remove one. Sign in afresh to go on.',
    fault: 'Nothing was changed. Try again in a minute, or ask the clinic.',
    back: 'Back to your cards',
  },
  show: async (visit) => (visit.path === PATH ? walletOf(parts, visit, { status: 200, problem: '' }) : null),
  submit: async (visit, form) => {
    const act = ACTS[visit.path.slice(PATH.length)];
    if (act === undefined) return null;
    try {
      await act(parts, await permitOwn(parts, visit), form);
      return PATH;
    } catch (error) {
      if (!(error instanceof PaymentError)) throw error;
      return walletOf(parts, visit, { status: 400, problem: error.message });
    }
  },
});

type Act = (parts: WalletParts, own: Permit, form: URLSearchParams) => Promise<unknown>;

const ACTS: Readonly<Record<string, Act>> = {
  '/keep': ({ vault, clock }, own, form) => {
    const field = (name: string): string => form.get(name) ?? '';
    const typed = { number: field('number'), month: field('month'), year: field('year') };
    return vault.add(own.of, readCard(typed, clock()), entryOf(own));
  },
  '/remove': ({ vault }, own, form) => vault.remove(own.of, form.get('card') ?? '', entryOf(own)),
};

async function walletOf(
  parts: WalletParts,
  visit: OwnVisit,
  say: { status: number; problem: string },
): Promise<Page> {
  const patient = await ownChart(parts, visit);
  if (patient === null) return nobodyPage(visit);
  const own = await permitOwn(parts, visit);
  const cards = await parts.vault.list(own.of);
  const entity = { resource: 'Card', fields: ['card.brand', 'card.expires', 'card.lastFour'] };
  await parts.audit.append(own.of.tenant, entryOf(own)({ action: 'R', operation: 'listCards', entity }));
  return walletPage(visit, { cards, now: parts.clock() }, say);
}

async function permitOwn(parts: WalletParts, visit: OwnVisit): Promise<Permit> {
  const patient = (await ownChart(parts, visit)) ?? '';
  return permit(parts, visit.session, { patient, actions: ['keep-cards'], client: CLIENT });
}

const ownChart = async ({ store }: WalletParts, { session }: OwnVisit): Promise<PatientId | null> =>
  (await findMember(store, session.tenant, session.user))?.ownChart ?? null;

const entryOf =
  ({ entry }: Permit) =>
  ({ operation, ...act }: Pick<AuditEntry, 'action' | 'operation' | 'entity'>): AuditEntry =>
    entry(operation, { ...act, purposeOfUse: PURPOSE });
