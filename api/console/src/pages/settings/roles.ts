/** The roles, the one that may do most first. */
export const ROLES = ['owner', 'admin', 'operator', 'agent', 'viewer'] as const;
