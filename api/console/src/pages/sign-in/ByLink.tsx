import { useMutation } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { session } from '../../api/session';
import { useT } from '../../i18n';
import { Button } from '../../ui/Button';
import { ProblemNote } from '../../ui/Problem';
import { byLink, codeOfLink } from './data';
import { Door } from './Door';

/**
 * In by a link that is good once: it is used as soon as it is opened. Who has signed in already is
 * asked, so that nobody's link makes them somebody else unseen.
 */
export default function ByLink() {
  const t = useT();
  const navigate = useNavigate();
  const [token] = useState(codeOfLink);
  const [asks, setAsks] = useState(() => session() !== null);
  const begun = useRef(false);
  const { mutate, error } = useMutation({
    mutationFn: byLink,
    onSuccess: () => navigate({ to: '/', replace: true }),
  });
  useEffect(() => {
    if (begun.current || !token || asks) return;
    begun.current = true;
    mutate(token);
  }, [asks, mutate, token]);
  return (
    <Door title={t('signin.title')}>
      <p role="status">
        {t(!token || error ? 'signin.link.over' : asks ? 'signin.link.asks' : 'signin.link.opens')}
      </p>
      {token && asks && (
        <Button kind="primary" onClick={() => setAsks(false)}>
          {t('signin.link.enter')}
        </Button>
      )}
      <ProblemNote error={error} />
      <Link to="/sign-in" className="text-center text-sm underline">
        {t('signin.other')}
      </Link>
    </Door>
  );
}
