import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { api, at, base, env, mailed, open, texted } from './world';

const PASSWORD = 'a mill by the river';
const OWNER = 'owner@demo.example';
const PHONE = '+12125550123';

const home = (page: Page) => page.getByRole('heading', { name: 'Home', level: 1 }).waitFor();

async function signOut(page: Page, name: string) {
  await page.getByRole('button', { name, exact: true }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
}

/** What a script of the page could read. */
const readable = (page: Page) =>
  page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));

test('the link that up prints leads in, once, and no script reads what signs in', async () => {
  const page = await open();
  await page.goto(env('LINK'));
  await home(page);
  expect(page.url()).not.toContain('mr_link_');

  const cookies = await page.context().cookies(`${base}/v1/auth`);
  const hidden = cookies.filter((one) => one.httpOnly).map((one) => one.name);
  expect(hidden.sort()).toEqual(['mr_access', 'mr_refresh']);
  expect(cookies.every((one) => one.sameSite === 'Strict')).toBe(true);
  const seen = await readable(page);
  for (const one of cookies.filter((cookie) => cookie.httpOnly)) expect(seen).not.toContain(one.value);

  await page.reload();
  await home(page);
  await signOut(page, 'Demo');
  await page.goto(env('LINK'));
  await page.getByText('This link does not sign in').waitFor();
  await page.getByRole('alert').waitFor();
});

test('a code by mail leads in, and the session outlives its access token', async () => {
  const page = await open();
  await page.goto(at('/campaigns'));
  await page.getByLabel('Email or phone number').fill(OWNER);
  await page.getByRole('button', { name: 'Send a code' }).click();
  await page.getByLabel('Code of six digits').fill('000000');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('alert').waitFor();
  await page.getByLabel('Code of six digits').fill(await mailed(OWNER, /(\d{6}) is your code/));
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('heading', { name: 'Campaigns' }).waitFor();

  await page.context().clearCookies({ name: 'mr_access' });
  await page.getByRole('link', { name: 'Contacts' }).click();
  await page.locator('tbody tr').first().waitFor();
  expect((await page.context().cookies()).map((one) => one.name)).toContain('mr_access');

  const kept = await page.context().cookies(`${base}/v1/auth`);
  await signOut(page, 'Demo');
  await page.context().addCookies(kept);
  await page.waitForTimeout(1_500);
  const answer = await page.context().request.get(`${base}/v1/me`);
  expect(answer.status()).toBe(401);
});

test('a link by mail leads in by its button', async () => {
  const page = await open();
  await page.goto(at('/'));
  await page.getByLabel('Email or phone number').fill(OWNER);
  await page.getByRole('button', { name: 'Send a link' }).click();
  await page.goto(await mailed(OWNER, /(http\S+\/sign-in#\S+)/));
  await page.getByRole('button', { name: 'Sign in' }).click();
  await home(page);
});

test('somebody signs up by a text, and comes again by another', async () => {
  const page = await open();
  await page.goto(at('/sign-up'));
  await page.getByLabel('Company').fill("Mia's Mill");
  await page.getByLabel('Your name').fill('Mia');
  await page.getByLabel('Email or phone number').fill(PHONE);
  await page.getByRole('button', { name: 'Send a code' }).click();
  await page.getByLabel('Code of six digits').fill(await texted(/(\d{6}) signs you up/));
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await home(page);
  await page.getByText("Mia's Mill").waitFor();
  await signOut(page, 'Mia');

  await page.getByLabel('Email or phone number').fill(PHONE);
  await page.getByRole('button', { name: 'Send a code' }).click();
  await page.getByLabel('Code of six digits').fill(await texted(/(\d{6}) is your code/));
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await home(page);
});

test('an invitation leads in once, then its password, then one in its place', async () => {
  const email = 'ana@demo.example';
  const { code } = await api<{ code: string }>('/v1/invitations', { email, role: 'agent' });
  const page = await open();
  await page.goto(at(`/join#${code}`));
  await page.getByLabel('Your name').fill('Ana');
  expect(page.url()).not.toContain(code);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Accept and sign in' }).click();
  await home(page);
  await signOut(page, 'Ana');

  await page.getByRole('button', { name: 'Use a password' }).click();
  await page.getByLabel('Email or phone number').fill(email);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await home(page);
  await signOut(page, 'Ana');

  await page.getByRole('button', { name: 'Use a password' }).click();
  await page.getByRole('link', { name: 'I have forgotten it' }).click();
  await page.getByLabel('Email or phone number').fill(email);
  await page.getByRole('button', { name: 'Send a code' }).click();
  await page.getByLabel('Code of six digits').fill(await mailed(email, /(\d{6}) sets a new password/));
  await page.getByLabel('New password').fill(`${PASSWORD} again`);
  await page.getByRole('button', { name: 'Set the password and sign in' }).click();
  await home(page);
});

test('somebody who works for two companies moves from one to the other', async () => {
  const email = 'both@demo.example';
  const join = async (key: string) => {
    const invited = { email, role: 'admin' };
    const { code } = await api<{ code: string }>('/v1/invitations', invited, 'POST', key);
    const body = { code, name: 'Ben', password: PASSWORD };
    await api('/v1/auth/accept-invitation', body, 'POST', '');
  };
  await join(env('KEY'));
  await join(env('OTHER_KEY'));

  const page = await open();
  await page.goto(at('/campaigns'));
  await page.getByRole('button', { name: 'Use a password' }).click();
  await page.getByLabel('Email or phone number').fill(email);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByText('Spring sale').first().waitFor();
  await page.getByRole('button', { name: 'Switch company' }).click();
  await page.getByRole('menuitem', { name: 'other' }).click();
  await home(page);
  await page.goto(at('/campaigns'));
  await page.getByText('There is none yet').waitFor();
});

test('what is wrong is said with the id of the request', async () => {
  const page = await open();
  await page.goto(at('/campaigns'));
  await page.getByRole('button', { name: 'Use a password' }).click();
  await page.getByLabel('Email or phone number').fill('nobody@example.com');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  const alert = page.getByRole('alert');
  await alert.getByText(/Request [0-9a-f-]+/).waitFor();
  expect(await alert.innerText()).toMatch(/\w{4}/);
});

test('a key leads to the page that was asked for', async () => {
  const page = await open();
  await page.goto(at('/campaigns'));
  await page.getByRole('button', { name: 'Use an API key' }).click();
  await page.getByLabel('API key').fill(env('KEY'));
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('heading', { name: 'Campaigns' }).waitFor();
});
