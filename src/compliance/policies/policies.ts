import type { PolicyDocument, PolicyFacts } from './facts.ts';
import { accessPolicy, privacyNotice, retentionPolicy } from './people.ts';
import { processingRecord, processorList } from './processing.ts';
import { encryptionPolicy, incidentResponse, keyManagement } from './security.ts';

/** Every policy, as the configuration and the code make it now. Pure. */
export function policiesOf(facts: PolicyFacts): PolicyDocument[] {
  return [
    keyManagement,
    encryptionPolicy,
    accessPolicy,
    retentionPolicy,
    incidentResponse,
    processingRecord,
    processorList,
    privacyNotice,
  ].map((write) => write(facts));
}

/** A policy as a Markdown page that says what it was made from. */
export const policyPage = ({ title, body }: PolicyDocument, { config }: PolicyFacts): string =>
  `# ${title}

${body.trim()}

---

Written by \`chartseal compliance policies\` from version ${config.version} and the configuration \`${config.digest}\`. Change the
setting, not this page, and write it again. What is marked “fill in” only the organisation knows. Whether a law is met, people judge.
`;
