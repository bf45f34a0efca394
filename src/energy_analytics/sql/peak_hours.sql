-- Peak hours analysis: mean energy of an hour, by local hour of the day
SELECT site, extract(hour FROM hour) AS hour_of_day, sum(kwh) / count(DISTINCT hour) AS mean_kwh
FROM hourly
GROUP BY site, extract(hour FROM hour)
ORDER BY site, mean_kwh DESC, hour_of_day
