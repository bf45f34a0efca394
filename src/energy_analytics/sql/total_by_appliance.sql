-- Total consumption by appliance
SELECT site, appliance, count(*) AS readings, sum(kwh) AS total_kwh
FROM readings
GROUP BY site, appliance
ORDER BY site, total_kwh DESC, appliance
