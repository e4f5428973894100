-- Row-level security policies.
SELECT 'pg_class'::regclass::oid AS classid, p.polrelid AS objid, 7000 AS position,
    'policy ' || quote_ident(p.polname) AS key,
    concat_ws(' ',
        CASE WHEN NOT p.polpermissive THEN 'AS RESTRICTIVE' END,
        'FOR ' || CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
        'TO ' || (SELECT string_agg(CASE u.role WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(u.role)) END, ', '
            ORDER BY pg_get_userbyid(u.role) COLLATE "C") FROM unnest(p.polroles) u (role)),
        'USING (' || pg_get_expr(p.polqual, p.polrelid) || ')',
        'WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')') AS value
FROM pg_catalog.pg_policy p
