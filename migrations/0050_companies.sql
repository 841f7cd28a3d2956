-- A company has a theme and limits of its plan, and may be archived; a number may be invited.

alter table tenants
    add column colour text not null default '#6366f1' check (colour ~ '^#[0-9a-f]{6}$'),
    add column logo_url text check (length(logo_url) <= 2000),
    add column display_name text check (length(display_name) between 1 and 100), -- null: its name
    -- What its plan limits it to, which an operator says; null: what every tenant is limited to.
    add column most_brands integer check (most_brands between 0 and 1000),
    add column most_members integer check (most_members between 1 and 1000000),
    add column most_keys integer check (most_keys between 0 and 1000),
    add column archived_at timestamptz;          -- business time; null: it is in use

-- The companies that a person works for (`companies_of` is for older processes).
create function companies_of_person(person uuid)
    returns table (tenant_id text, name text, role text, archived_at timestamptz)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select m.tenant_id, t.name, m.role, t.archived_at from members m
        join tenants t on t.tenant_id = m.tenant_id
        where m.person_id = person order by m.created_at, m.tenant_id
    $$;
grant execute on function companies_of_person(uuid) to millrace_api;

-- `invitations.email` is an address as people sign in with one: of mail in small letters, or a number in E.164. Its
-- name is that of before, which processes from before write.
create function invitation_of_code(code_hash bytea, machine timestamptz)
    returns table (tenant_id text, invitation_id uuid, address text, role text)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select i.tenant_id, i.invitation_id, i.email, i.role from invitations i
        where i.hash = code_hash and i.expires_at > machine
    $$;
grant execute on function invitation_of_code(bytea, timestamptz) to millrace_api;

-- Processes from before would make a person whose address of mail is a number: they find no such invitation.
create or replace function find_invitation(code_hash bytea, machine timestamptz)
    returns table (tenant_id text, invitation_id uuid, email text, role text)
    language sql stable security definer set search_path = millrace, pg_temp
    as $$
        select i.tenant_id, i.invitation_id, i.email, i.role from invitations i
        where i.hash = code_hash and i.expires_at > machine and position('@' in i.email) > 0
    $$;
