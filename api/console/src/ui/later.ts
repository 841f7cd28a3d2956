import { useEffect, useState } from 'react';

/** A value once it has not changed for so many milliseconds. */
export function useLater<T>(value: T, after = 250): T {
  const [later, setLater] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setLater(value), after);
    return () => clearTimeout(timer);
  }, [value, after]);
  return later;
}
