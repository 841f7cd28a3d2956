import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
} from '@tanstack/react-router';
import { Frame } from './app/Frame';
import { Failed, NotThere } from './app/Failed';

/** Texts of the URL by their names; anything else in it is left out. */
export const texts =
  <N extends string>(...names: N[]) =>
  (search: Record<string, unknown>): { [K in N]?: string } => {
    const found: { [K in N]?: string } = {};
    for (const name of names) {
      const value = search[name];
      if (value !== undefined && value !== '') found[name] = String(value);
    }
    return found;
  };

const root = createRootRoute({ component: Outlet, notFoundComponent: NotThere });

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: texts('to'),
  component: lazyRouteComponent(() => import('./pages/sign-in')),
});
const join = createRoute({
  getParentRoute: () => root,
  path: '/join',
  component: lazyRouteComponent(() => import('./pages/sign-in/Join')),
});

const link = createRoute({
  getParentRoute: () => root,
  path: '/link',
  component: lazyRouteComponent(() => import('./pages/sign-in/ByLink')),
});
const reset = createRoute({
  getParentRoute: () => root,
  path: '/reset',
  component: lazyRouteComponent(() => import('./pages/sign-in/Reset')),
});
const signUp = createRoute({
  getParentRoute: () => root,
  path: '/sign-up',
  component: lazyRouteComponent(() => import('./pages/sign-in/SignUp')),
});

const frame = createRoute({ getParentRoute: () => root, id: 'frame', component: Frame });
const inside = { getParentRoute: () => frame };

const home = createRoute({
  ...inside,
  path: '/',
  component: lazyRouteComponent(() => import('./pages/home')),
});
const inbox = createRoute({
  ...inside,
  path: '/inbox',
  validateSearch: texts(
    'tab',
    'id',
    'status',
    'who',
    'inbox',
    'label',
    'channel',
    'unread',
    'attention',
    'q',
  ),
  component: lazyRouteComponent(() => import('./pages/inbox')),
});
const campaigns = createRoute({
  ...inside,
  path: '/campaigns',
  validateSearch: texts('state'),
  component: lazyRouteComponent(() => import('./pages/campaigns')),
});
const builder = createRoute({
  ...inside,
  path: '/campaigns/new',
  component: lazyRouteComponent(() => import('./pages/builder')),
});
const compare = createRoute({
  ...inside,
  path: '/campaigns/compare',
  validateSearch: texts('ids'),
  component: lazyRouteComponent(() => import('./pages/compare')),
});
const campaign = createRoute({
  ...inside,
  path: '/campaigns/$id',
  validateSearch: texts('state'),
  component: lazyRouteComponent(() => import('./pages/campaign')),
});
const contacts = createRoute({
  ...inside,
  path: '/contacts',
  validateSearch: texts('q', 'tag', 'phone'),
  component: lazyRouteComponent(() => import('./pages/contacts')),
});
const imports = createRoute({
  ...inside,
  path: '/contacts/import',
  component: lazyRouteComponent(() => import('./pages/import')),
});
const contact = createRoute({
  ...inside,
  path: '/contacts/$id',
  component: lazyRouteComponent(() => import('./pages/contact')),
});
const templates = createRoute({
  ...inside,
  path: '/templates',
  validateSearch: texts('tab', 'account', 'state'),
  component: lazyRouteComponent(() => import('./pages/templates')),
});
const template = createRoute({
  ...inside,
  path: '/templates/$id',
  component: lazyRouteComponent(() => import('./pages/templates/Edit')),
});
const messages = createRoute({
  ...inside,
  path: '/messages',
  validateSearch: texts('to', 'campaign', 'status', 'class', 'code', 'since', 'until'),
  component: lazyRouteComponent(() => import('./pages/messages')),
});
const why = createRoute({
  ...inside,
  path: '/why',
  validateSearch: texts('of'),
  component: lazyRouteComponent(() => import('./pages/why')),
});
const senders = createRoute({
  ...inside,
  path: '/senders',
  validateSearch: texts('tab'),
  component: lazyRouteComponent(() => import('./pages/senders')),
});
const compliance = createRoute({
  ...inside,
  path: '/compliance',
  validateSearch: texts('tab', 'phone'),
  component: lazyRouteComponent(() => import('./pages/compliance')),
});
const budgets = createRoute({
  ...inside,
  path: '/budgets',
  component: lazyRouteComponent(() => import('./pages/budgets')),
});
const operations = createRoute({
  ...inside,
  path: '/operations',
  validateSearch: texts('tab'),
  component: lazyRouteComponent(() => import('./pages/operations')),
});
const settings = createRoute({
  ...inside,
  path: '/settings',
  validateSearch: texts('tab'),
  component: lazyRouteComponent(() => import('./pages/settings')),
});

const doors = [signIn, join, link, reset, signUp];
const pages = [home, campaigns, builder, compare, campaign, contacts, imports, contact, templates, template];
const others = [inbox, messages, why, senders, compliance, budgets, operations, settings];

export const router = createRouter({
  routeTree: root.addChildren([...doors, frame.addChildren([...pages, ...others])]),
  basepath: '/console',
  defaultPreload: 'intent',
  defaultErrorComponent: Failed,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
