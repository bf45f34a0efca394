"""What energy costs: tariffs as data, bills exact to the cent, carbon, and what moving appliances saves."""
