/** `framework | id | title | checks | what a person must look at` */
export const FRAMEWORK_ROWS = `
HIPAA | 164.308(a)(1)(ii)(A) | Risk analysis | | The written risk analysis and its date.
HIPAA | 164.308(a)(1)(ii)(D) | Information system activity review | emergency-reviews log-freshness | That somebody reads the reports.
HIPAA | 164.308(a)(3) | Workforce security | members-known relationships-end | That accounts of those who left are removed.
HIPAA | 164.308(a)(4) | Information access management | policies-answer access-matrix | Who approved the matrix.
HIPAA | 164.308(a)(5) | Awareness and training | | The record of trainings.
HIPAA | 164.308(a)(6) | Security incident procedures | | docs/runbook.md, and the last exercise.
HIPAA | 164.308(a)(7) | Contingency plan | backups-restorable | The last restore that was tried.
HIPAA | 164.308(b) | Business associate contracts | | The signed agreements.
HIPAA | 164.310 | Physical safeguards | | The hosts’ attestations, and the clinic’s rooms.
HIPAA | 164.312(a)(1) | Access control | policies-answer access-matrix database-closed |
HIPAA | 164.312(a)(2)(i) | Unique user identification | members-known events-attributed |
HIPAA | 164.312(a)(2)(ii) | Emergency access procedure | emergency-reviews | That clinicians know of /emergency.
HIPAA | 164.312(a)(2)(iii) | Automatic logoff | session-limits |
HIPAA | 164.312(a)(2)(iv) | Encryption and decryption | sealed-values no-plaintext-phi no-readable-bytes bytes-declared keys-wrapped key-custody |
HIPAA | 164.312(b) | Audit controls | log-inclusion log-consistency log-signature log-completeness events-attributed |
HIPAA | 164.312(c) | Integrity | charts-as-logged sealed-values |
HIPAA | 164.312(d) | Person or entity authentication | staff-second-factor signing-keys |
HIPAA | 164.312(e) | Transmission security | https-origin tls-floor certificate strict-transport database-tls |
HIPAA | 164.314 | Organizational requirements | | The contracts and what they promise.
HIPAA | 164.316(b)(2) | Documentation kept six years | audit-retention |
HIPAA | 164.502(b) | Minimum necessary | policies-answer chart-limits |
HIPAA | 164.524 | Access of individuals | requests-answered |
HIPAA | 164.528 | Accounting of disclosures | disclosures-named audit-retention |
GDPR | Art. 5 | Principles | record-retention events-attributed | The purposes, and their legal basis.
GDPR | Art. 15 | Right of access | requests-answered |
GDPR | Art. 17 | Right to erasure | erasures-finish erasure-receipts erased-stay-erased backups-end values-have-owners |
GDPR | Art. 20 | Data portability | requests-answered |
GDPR | Art. 25 | Data protection by design | policies-answer sealed-values no-plaintext-phi |
GDPR | Art. 30 | Records of processing | | The record of processing, signed by the controller.
GDPR | Art. 32 | Security of processing | sealed-values key-custody key-works database-closed staff-second-factor https-origin backups-restorable |
PCI DSS | 3.2 | Storage is kept to a minimum | backups-end |
PCI DSS | 3.5 | Card numbers are secured where stored | no-card-numbers sealed-values |
PCI DSS | 3.6 | Keys are secured | key-custody keys-wrapped keys-own-tenant key-policy key-policy-principals key-deletion local-key-strength |
PCI DSS | 3.7 | Key life cycle | key-rotation key-generation patient-key-age index-key-age rotation-finished values-current | The cryptoperiod that you defined.
PCI DSS | 8.2 | Users are identified | members-known |
PCI DSS | 8.3 | Strong authentication | staff-second-factor session-limits secrets-strong |
PCI DSS | 8.6 | System accounts | no-static-aws-keys |
PCI DSS | 10.2 | Audit logs record access | events-attributed log-completeness |
PCI DSS | 10.3 | Audit logs are protected | log-inclusion log-consistency log-signature checkpoints-apart journal-apart journal-kept log-insert-only |
PCI DSS | 10.5 | Audit history is kept | audit-retention |
SOC 2 | CC6.1 | Logical access security | policies-answer access-matrix staff-second-factor database-closed key-custody |
SOC 2 | CC6.3 | Access is granted by role and removed | members-known relationships-end |
SOC 2 | CC6.6 | Threats from outside | https-origin redirects-exact emulators-off production-mode |
SOC 2 | CC6.7 | Data in transmission | tls-floor certificate strict-transport database-tls |
SOC 2 | CC7.1 | Vulnerabilities are found | database-version | The record of updates of dependencies and hosts.
SOC 2 | CC7.2 | Anomalies are found | chart-limits log-freshness key-use-logged |
SOC 2 | CC7.3 | Incidents are evaluated | emergency-reviews | The incident log.
SOC 2 | CC7.5 | Recovery | backups-restorable | The last exercise.
Layers | disk | The host encrypts its disks | | The host’s attestation: Google’s for Firestore and Cloud Storage, AWS’s for KMS; for PostgreSQL, that of its host.
Layers | database | The database lets nobody past the server | database-closed database-tls |
Layers | application | The application seals before the database sees it | sealed-values no-plaintext-phi no-readable-bytes keys-wrapped keys-own-tenant values-current |
`;
