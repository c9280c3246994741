import { describe, expect, test } from 'vitest';
import { readKeyPolicy } from '../../src/compliance/scan/key-policy.ts';
import { tenantKeyPolicy } from '../../src/crypto/kms-tenant-keys.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import { propertiesOf, readTemplate } from '../infra/template.ts';

const ARN = 'arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555';
const TENANT = 'riverside' as TenantId;
const SOUND = tenantKeyPolicy(ARN, TENANT) as { Statement: Record<string, unknown>[] };
const [account = {}, denial = {}] = SOUND.Statement;
const read = (...statements: object[]) => readKeyPolicy(JSON.stringify({ Statement: statements }), TENANT);

describe('a key policy', () => {
  test('as a tenant’s key gets it denies other tenants, and names nobody but the account', () => {
    expect(read(account, denial)).toEqual({ deniesOthers: true, forEverybody: [], deleters: [] });
  });

  test('of the template is sound as well', () => {
    const known = { 'AWS::Partition': 'aws', 'AWS::AccountId': '111122223333', Tenant: TENANT };
    const { KeyPolicy } = propertiesOf(readTemplate('tenant.yaml', known), 'WrappingKey') as {
      KeyPolicy: object;
    };
    const sound = { deniesOthers: true, forEverybody: [], deleters: [] };
    expect(readKeyPolicy(JSON.stringify(KeyPolicy), TENANT)).toEqual(sound);
  });

  test.each<[string, object]>([
    ['that is missing', account],
    ['of one use alone', { ...denial, Action: 'kms:Decrypt' }],
    [
      'for another tenant',
      { ...denial, Condition: { StringNotEquals: { 'kms:EncryptionContext:tenant': 'hillside' } } },
    ],
    [
      'for several tenants',
      {
        ...denial,
        Condition: { StringNotEquals: { 'kms:EncryptionContext:tenant': ['riverside', 'hillside'] } },
      },
    ],
    [
      'under a further condition',
      {
        ...denial,
        Condition: { ...(denial['Condition'] as object), Bool: { 'aws:SecureTransport': 'true' } },
      },
    ],
    [
      'by an operator that a missing context passes',
      { ...denial, Condition: { StringNotEqualsIfExists: { 'kms:EncryptionContext:tenant': TENANT } } },
    ],
    ['to one role alone', { ...denial, Principal: { AWS: 'arn:aws:iam::111122223333:role/x' } }],
    ['that allows', { ...denial, Effect: 'Allow' }],
  ])('with a denial %s does not keep tenants apart', (_name, statement) => {
    expect(read(account, statement)?.deniesOthers).toBe(false);
  });

  test.each<[string, object]>([
    ['everybody', { Principal: '*' }],
    ['everybody as AWS', { Principal: { AWS: ['*'] } }],
    ['every role of an account', { Principal: { AWS: 'arn:aws:iam::111122223333:role/*' } }],
    ['all but one', { NotPrincipal: { AWS: 'arn:aws:iam::111122223333:root' } }],
  ])('that allows something to %s is named', (_name, whom) => {
    const planted = { Sid: 'Planted', Effect: 'Allow', Action: 'kms:DescribeKey', Resource: '*', ...whom };
    expect(read(account, denial, planted)?.forEverybody).toEqual(['Planted']);
  });

  test.each([
    ['kms:*', true],
    ['kms:Schedule*', true],
    ['KMS:disablekey', true],
    ['kms:PutKeyPolic?', true],
    ['kms:Decrypt', false],
    ['kms:ScheduleKeyDeletionX', false],
  ])('that gives a role %s is judged', (Action, ends) => {
    const planted = {
      Sid: 'Planted',
      Effect: 'Allow',
      Action,
      Principal: { AWS: 'arn:aws:iam::111122223333:role/app' },
    };
    expect(read(account, denial, planted)?.deleters).toEqual(ends ? ['Planted'] : []);
  });

  test('that is not JSON is not judged', () => {
    expect(readKeyPolicy('no policy', TENANT)).toBeNull();
  });
});
