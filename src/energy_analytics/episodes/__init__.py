"""Episodes: stretches of time in which an appliance does not behave as it usually does."""
