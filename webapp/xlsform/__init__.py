"""XLSForm (xlsform.org): workbooks as forms of ours, and forms of ours as workbooks and XForms. Read and converted by pyxform."""
