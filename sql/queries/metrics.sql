-- The metrics of the whole fleet, read at each scrape.

--! read_fleet_figures : FleetFigures()
SELECT
    (SELECT count(*) FROM processes WHERE expires_at > clock_timestamp()) AS daemons,
    t.tickets, t.oldest_ticket_secs, c.commands, c.oldest_command_secs, e.events, e.oldest_event_secs,
    m.messages_waiting
FROM (SELECT count(*) AS tickets,
             coalesce(extract(epoch FROM clock_timestamp() - min(opened_at)), 0)::float8 AS oldest_ticket_secs
      FROM unlink_tickets) AS t,
     (SELECT count(*) AS commands,
             coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 AS oldest_command_secs
      FROM commands WHERE state IN ('queued', 'running')) AS c,
     (SELECT count(*) AS events,
             coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 AS oldest_event_secs
      FROM events WHERE NOT notified) AS e,
     (SELECT count(*) AS messages_waiting FROM messages WHERE state = 'waiting' AND reason <> 'lost') AS m;

--! count_accounts_by_condition : AccountsByCondition()
-- Every status is there, also with none in it: a series that vanishes cannot be alerted on.
SELECT statuses.status, coalesce(a.reason, '') AS reason, coalesce(a.accounts, 0) AS accounts
FROM unnest(ARRAY['unpaired', 'pending', 'connected', 'reconnecting', 'held', 'deleting']) AS statuses (status)
LEFT JOIN (
    SELECT status, CASE status WHEN 'held' THEN split_part(status_reason, ':', 1) ELSE '' END AS reason,
           count(*) AS accounts
    FROM whatsapp_accounts
    WHERE deleted_at IS NULL OR status = 'deleting'
    GROUP BY 1, 2
) AS a ON a.status = statuses.status;
