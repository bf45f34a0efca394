-- Latest processed data
SELECT site, appliance, total_kwh, avg_kwh, std_kwh, count, peak_hour
FROM latest_processed
ORDER BY site, total_kwh DESC, appliance
