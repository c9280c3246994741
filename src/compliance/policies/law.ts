/**
 * What the policies cite. Numbers in here are the law's and the standards', and change when those do; every other number
 * in a policy comes from the configuration or from a constant of the code.
 */
export const LAW = {
  breach: '45 CFR 164.400–414',
  breachTold: 'within 60 days of discovery (45 CFR 164.404)',
  breachReported:
    'at the same time from 500 individuals on, else within 60 days of the year’s end (45 CFR 164.408)',
  breachMedia: 'from 500 residents of one State on (45 CFR 164.406)',
  breachAuthority: 'within 72 hours (GDPR Art. 33)',
  unsecured: '45 CFR 164.402',
  documents: '45 CFR 164.316(b)(2)',
  minimum: '45 CFR 164.502(b)',
  contracts: '45 CFR 164.308(b) and 164.314(a); GDPR Art. 28',
  access: '45 CFR 164.524; GDPR Art. 15',
  accounting: '45 CFR 164.528',
  record: 'GDPR Art. 30',
  notice: '45 CFR 164.520; GDPR Art. 13',
  transfer: 'GDPR Art. 44–49',
  auditPractice: 'ASTM E2147',
  tree: 'RFC 6962',
  cycles: 'PCI DSS 3.7.4',
  hash: 'SHA-256',
  mac: 'HMAC-SHA-512',
} as const;
