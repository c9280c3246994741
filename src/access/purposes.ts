/** HL7 v3 PurposeOfUse: what access can be for. The server says which; nobody chooses one. */
export const PURPOSES = ['PATRQT', 'FAMRQT', 'TREAT', 'ETREAT', 'HOPERAT'] as const;
export type Purpose = (typeof PURPOSES)[number];
