-- People who sign in: who they are, the companies that they work for, how they were invited, and their sessions.
-- Times of sessions and invitations are machine time: they guard doors, whatever the sandbox clock says.

-- A person is the platform's, not a tenant's: one may work for many. The api alone reads and writes here.
create table persons (
    person_id uuid primary key,
    email text not null unique check (email = lower(email) and length(email) between 3 and 254),
    name text not null,
    password_hash text not null,                 -- argon2id, a PHC string
    created_at timestamptz not null
);

create table members (
    tenant_id text not null,
    person_id uuid not null references persons,
    role text not null check (role in ('owner', 'admin', 'operator', 'agent', 'viewer')),
    created_at timestamptz not null,
    primary key (tenant_id, person_id)
);
call protect('members');
call open_to_lookups('members');
create index members_by_person on members (person_id);

create table invitations (
    tenant_id text not null,
    invitation_id uuid not null,
    hash bytea not null,                         -- SHA-256 of the code; the code is shown once
    email text not null check (email = lower(email) and length(email) between 3 and 254),
    role text not null check (role in ('owner', 'admin', 'operator', 'agent', 'viewer')),
    invited_by text not null,                    -- as the audit trail names who invites: theirs go with them
    created_at timestamptz not null,
    expires_at timestamptz not null,
    primary key (tenant_id, invitation_id)
);
call protect('invitations');
call open_to_lookups('invitations');
create unique index invitations_by_hash on invitations (hash); -- it is accepted before a tenant is known
create unique index invitations_by_email on invitations (tenant_id, email); -- one open invitation: a newer one takes its place

create table sessions (
    session_id uuid primary key,
    person_id uuid not null references persons,
    created_at timestamptz not null,
    used_at timestamptz not null,                -- when it got its newest tokens
    ends_at timestamptz not null,                -- unless it is used before that
    ended_at timestamptz                         -- by its person, or because a token was used twice
);
create index sessions_by_person on sessions (person_id, used_at);

-- Each is good once. One that is used again was stolen, or its thief used it first: the session ends.
create table refresh_tokens (
    hash bytea primary key,                      -- SHA-256
    session_id uuid not null references sessions on delete cascade,
    works_for text not null,                     -- the tenant of the access tokens that come with it
    created_at timestamptz not null,
    used_at timestamptz
);
create index refresh_tokens_by_session on refresh_tokens (session_id);

revoke all on persons, members, invitations, sessions, refresh_tokens from millrace_pipeline;

-- Whom a session is of, and what they may do for a company; nothing once it has ended or they have left.
create function session_member(session uuid, tenant text, machine timestamptz)
    returns table (person_id uuid, role text)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select s.person_id, m.role from sessions s
        join members m on m.tenant_id = tenant and m.person_id = s.person_id
        where s.session_id = session and s.ended_at is null and s.ends_at > machine
    $$;
grant execute on function session_member(uuid, text, timestamptz) to millrace_api;

-- The companies that a person works for.
create function companies_of(person uuid)
    returns table (tenant_id text, name text, role text)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select m.tenant_id, t.name, m.role from members m
        join tenants t on t.tenant_id = m.tenant_id
        where m.person_id = person order by m.created_at, m.tenant_id
    $$;
grant execute on function companies_of(uuid) to millrace_api;

-- An invitation that can be accepted, by its code.
create function find_invitation(code_hash bytea, machine timestamptz)
    returns table (tenant_id text, invitation_id uuid, email text, role text)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select i.tenant_id, i.invitation_id, i.email, i.role from invitations i
        where i.hash = code_hash and i.expires_at > machine
    $$;
grant execute on function find_invitation(bytea, timestamptz) to millrace_api;
