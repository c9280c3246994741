import { expect, test } from 'vitest';
import { ROLES } from '../../src/access/members.ts';
import {
  meaningsOf,
  RESOURCE_SCOPES,
  SCOPES,
  scopeOf,
  scopesFor,
  suitsRole,
} from '../../src/access/scopes.ts';

/** Tokens in the field carry these names, and people read these words. A change is a change of the product. */
test('the scopes are pinned: names, and whom they suit', () => {
  expect(Object.fromEntries(ROLES.map((role) => [role, scopesFor(role)]))).toEqual({
    patient: ['patient/Patient.rs', 'patient/*.rs', 'patient/Appointment.crus', 'offline_access'],
    proxy: ['patient/Patient.rs', 'patient/*.rs', 'patient/Appointment.crus', 'offline_access'],
    clinician: ['user/Patient.rs', 'user/*.rs', 'user/Appointment.crus', 'offline_access'],
    frontdesk: ['user/Patient.rs', 'user/Appointment.crus', 'offline_access'],
    auditor: ['offline_access'],
    admin: ['offline_access'],
  });
});

test('every scope has words for the consent page, and all but offline_access open something', () => {
  for (const words of Object.values(SCOPES)) expect(words).toMatch(/^[A-Z].{10,}[^.]$/);
  expect([...RESOURCE_SCOPES, 'offline_access']).toEqual(Object.keys(SCOPES));
});

test('a name that is not in the table suits nobody, however it looks', () => {
  for (const role of ROLES)
    for (const name of ['openid', 'system/*.*', 'patient/*.*', 'user/*', 'constructor', '__proto__', ''])
      expect(suitsRole(name, role)).toBe(false);
});

test('a scope means something only in the hands of those whom it suits', () => {
  const all = Object.keys(SCOPES);
  expect(meaningsOf(all, 'patient')).toEqual(['demographics', 'clinical', 'schedule']);
  expect(meaningsOf(all, 'frontdesk')).toEqual(['demographics', 'schedule']);
  expect(meaningsOf(all, 'admin')).toEqual([]);
  expect(meaningsOf(['patient/*.rs'], 'clinician')).toEqual([]);
});

test('the scope that a step-up asks for is one that the person may grant', () => {
  for (const role of ROLES)
    for (const meaning of ['demographics', 'clinical', 'schedule'] as const) {
      const scope = scopeOf(meaning, role);
      if (scope !== null) expect(suitsRole(scope, role)).toBe(true);
    }
});
