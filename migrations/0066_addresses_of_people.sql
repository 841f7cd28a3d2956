-- A contact is a set of addresses: each address has a row of its own in contacts, and rows of one person point to one of
-- them. Names beside addresses, and one opt-out for all forms of a mobile's number.

-- Each row of contacts is what is known under one address. One that points to another is part of that person: what is said
-- of it is said of the other, lists and audiences pass it over, and its own fields stay as they were, so that a merge can
-- be undone. Nothing points to a row that points on.
alter table contacts
    add column merged_into uuid;                 -- whose address it is; null: its own person
create index contacts_merged on contacts (merged_into) where merged_into is not null;

-- domain::address::AddressKind. Texts go to the first two alone.
alter table contact_addresses
    drop constraint contact_addresses_kind_check,
    add constraint contact_addresses_kind_check
        check (kind in ('phone', 'carrier_id', 'whatsapp_id', 'username'));

-- Statuses from before of mobiles in another form than the canonical one (domain::phone, its table of variants): what
-- stops texts stops them under the canonical form too. Consent is given to the form that has none. Each tenant's under its
-- own scope, as in 0026.
do $$
declare
    tenant text;
begin
    for tenant in select t.tenant_id from tenants t loop
        perform set_config('millrace.tenants', tenant, true);
        insert into standings as s (tenant_id, number, channel, opted_out_at, opt_out_cause, do_not_contact_at,
            do_not_contact_reason, do_not_contact_stops, stopped_programs, marketing_consent_at, consent_basis,
            consent_expires_at, last_promo_at, marketing_at, last_inbound_at)
        select o.tenant_id,
               case when o.number ~ '^\+55\d\d[6-9]\d{7}$' then regexp_replace(o.number, '^\+55(\d\d)', '+55\19')
                    when o.number ~ '^\+521\d{10}$' then '+52' || substr(o.number, 5)
                    else '+549' || substr(o.number, 4) end,
               o.channel, o.opted_out_at, o.opt_out_cause, o.do_not_contact_at, o.do_not_contact_reason,
               o.do_not_contact_stops, o.stopped_programs, o.marketing_consent_at, o.consent_basis,
               o.consent_expires_at, o.last_promo_at, o.marketing_at, o.last_inbound_at
        from standings o
        where o.tenant_id = tenant
          and o.number ~ '^\+(55\d\d[6-9]\d{7}|521\d{10}|54[1-3]\d{9})$'
        order by 1, 2, 3
        on conflict (tenant_id, number, channel) do update
        set opted_out_at = least(s.opted_out_at, excluded.opted_out_at),
            opt_out_cause = coalesce(s.opt_out_cause, excluded.opt_out_cause),
            do_not_contact_at = least(s.do_not_contact_at, excluded.do_not_contact_at),
            do_not_contact_reason = coalesce(s.do_not_contact_reason, excluded.do_not_contact_reason),
            do_not_contact_stops = case when 'all' in (s.do_not_contact_stops, excluded.do_not_contact_stops) then 'all'
                                        else coalesce(s.do_not_contact_stops, excluded.do_not_contact_stops) end,
            stopped_programs = array(select distinct p from unnest(s.stopped_programs || excluded.stopped_programs) p
                                     order by p),
            last_promo_at = greatest(s.last_promo_at, excluded.last_promo_at);

        -- A contact that is known under another form keeps it: what stops texts under the canonical one stops them there.
        insert into standings as s (tenant_id, number, channel, opted_out_at, opt_out_cause, do_not_contact_at,
            do_not_contact_reason, do_not_contact_stops, stopped_programs)
        select n.tenant_id, a.address, n.channel, n.opted_out_at, n.opt_out_cause, n.do_not_contact_at,
               n.do_not_contact_reason, n.do_not_contact_stops, n.stopped_programs
        from contact_addresses a
        join standings n
          on n.tenant_id = a.tenant_id
         and n.number = case
                 when a.address ~ '^\+55\d\d[6-9]\d{7}$' then regexp_replace(a.address, '^\+55(\d\d)', '+55\19')
                 when a.address ~ '^\+521\d{10}$' then '+52' || substr(a.address, 5)
                 else '+549' || substr(a.address, 4) end
        where a.tenant_id = tenant and a.kind = 'phone'
          and a.address ~ '^\+(55\d\d[6-9]\d{7}|521\d{10}|54[1-3]\d{9})$'
        order by 1, 2, 3
        on conflict (tenant_id, number, channel) do update
        set opted_out_at = least(s.opted_out_at, excluded.opted_out_at),
            opt_out_cause = coalesce(s.opt_out_cause, excluded.opt_out_cause),
            do_not_contact_at = least(s.do_not_contact_at, excluded.do_not_contact_at),
            do_not_contact_reason = coalesce(s.do_not_contact_reason, excluded.do_not_contact_reason),
            do_not_contact_stops = case when 'all' in (s.do_not_contact_stops, excluded.do_not_contact_stops) then 'all'
                                        else coalesce(s.do_not_contact_stops, excluded.do_not_contact_stops) end,
            stopped_programs = array(select distinct p from unnest(s.stopped_programs || excluded.stopped_programs) p
                                     order by p);
    end loop;
    perform set_config('millrace.tenants', '', true);
end $$;
