-- Latest forecast
SELECT site, ds, yhat, yhat_lower, yhat_upper
FROM latest_forecast
ORDER BY site, ds
