/** What a text of JSON says, where that is an object; else nothing. */
export function objectOf(text: string): Record<string, never> | null {
  try {
    const read: unknown = JSON.parse(text);
    const isObject = typeof read === 'object' && read !== null && !Array.isArray(read);
    return isObject ? (read as Record<string, never>) : null;
  } catch {
    return null;
  }
}
