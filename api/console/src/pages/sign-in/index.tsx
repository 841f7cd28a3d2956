import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { session } from '../../api/session';
import { useT } from '../../i18n';
import { Button } from '../../ui/Button';
import { ByAddress } from './ByAddress';
import { ByKey } from './ByKey';
import { ByPassword } from './ByPassword';
import { Door } from './Door';

const WAYS = ['code', 'password', 'key'] as const;

/** The ways in: a code or a link to an address, a password, or an API key. */
export default function SignIn() {
  const t = useT();
  const navigate = useNavigate();
  const { to } = useSearch({ from: '/sign-in' });
  const [way, setWay] = useState<(typeof WAYS)[number]>('code');
  const enter = () => void navigate({ to: to?.startsWith('/') ? to : '/', replace: true });
  useEffect(() => {
    if (session()) enter();
  });
  return (
    <Door title={t('signin.title')}>
      {way === 'code' && <ByAddress onEnter={enter} />}
      {way === 'password' && <ByPassword onEnter={enter} />}
      {way === 'key' && <ByKey onEnter={enter} />}
      <div className="flex flex-wrap justify-center gap-x-2">
        {WAYS.filter((one) => one !== way).map((one) => (
          <Button key={one} kind="quiet" onClick={() => setWay(one)}>
            {t(`signin.with.${one}`)}
          </Button>
        ))}
      </div>
      <div className="flex flex-wrap justify-center gap-x-4 text-sm">
        <Link to="/join" className="underline">
          {t('signin.join')}
        </Link>
        <Link to="/sign-up" className="underline">
          {t('signup.title')}
        </Link>
      </div>
    </Door>
  );
}
