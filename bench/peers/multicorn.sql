CREATE EXTENSION multicorn;
CREATE SERVER multicorn FOREIGN DATA WRAPPER multicorn
    OPTIONS (wrapper 'tasks_multicorn.Tasks');
