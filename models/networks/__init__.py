"""Networks that training builds."""
