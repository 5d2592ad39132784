"""The certificate beyond the short form: bound, points and what they are worth, for coupling rows of any form."""
