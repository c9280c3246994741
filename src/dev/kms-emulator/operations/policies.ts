import { policyMember } from './keys.ts';
import type { Call, Operation, Output } from './operation.ts';
import { page } from './page.ts';
import { inDraft, keyTargetOf } from './target.ts';

/** PutKeyPolicy, GetKeyPolicy, ListKeyPolicies, ListResourceTags. They work in every key state, as in AWS. */
export const POLICY_OPERATIONS: Readonly<Record<string, Operation>> = {
  PutKeyPolicy: { readOnly: false, logs: ['KeyId', 'PolicyName', 'Policy'], run: putKeyPolicy },
  GetKeyPolicy: { readOnly: true, logs: ['KeyId', 'PolicyName'], run: getKeyPolicy },
  ListKeyPolicies: {
    readOnly: true,
    logs: ['KeyId'],
    run: (call) => {
      keyTargetOf(call);
      return page(call, 'PolicyNames', { items: ['default'], max: 1000 });
    },
  },
  ListResourceTags: {
    readOnly: true,
    logs: ['KeyId'],
    run: (call) => page(call, 'Tags', { items: keyTargetOf(call).regional.tags, max: 50 }),
  },
};

function putKeyPolicy(call: Call): Output {
  call.input.oneOf('PolicyName', ['default'], 'default');
  call.input.string('Policy', { min: 1, max: 32_768 });
  const target = keyTargetOf(call);
  const policy = policyMember(call);
  call.store.update((draft) => {
    const { regional } = inDraft(draft, call, target);
    regional.policy = policy ?? regional.policy;
  });
  return {};
}

function getKeyPolicy(call: Call): Output {
  const PolicyName = call.input.oneOf('PolicyName', ['default'], 'default');
  return { Policy: keyTargetOf(call).regional.policy, PolicyName };
}
