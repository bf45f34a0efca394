-- Daily consumption trend
SELECT site, day, sum(kwh) AS total_kwh
FROM daily
GROUP BY site, day
ORDER BY site, day
