-- An entry of the do-not-contact list says what it stops.

alter table standings
    add column do_not_contact_stops text         -- null: marketing, as entries from before
        check (do_not_contact_stops in ('marketing', 'all'));

alter table consents
    add column stops text                        -- of a line that puts a number on the list
        check (stops in ('marketing', 'all'));
