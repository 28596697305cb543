-- Prescriptions on the generated claims: yj begins with the drug class (four digits).

-- How many patients and prescriptions are there per drug class?
SELECT substr(yj, 1, 4) AS drug_class, count(*) AS prescriptions, count(DISTINCT pid) AS patients
FROM claims
WHERE yj IS NOT NULL
GROUP BY substr(yj, 1, 4)
ORDER BY prescriptions DESC;

-- What share of claims carries a drug at all, by month?
SELECT claim_month, count(*) AS claims, count(yj) AS with_drug, 100.0 * count(yj) / count(*) AS percent
FROM claims
GROUP BY claim_month
ORDER BY claim_month;

-- Users of statins (class 2189) by sex and birth cohort.
SELECT p.sex, p.birth_year, count(DISTINCT p.pid) AS users
FROM persons p
JOIN claims c ON c.pid = p.pid
WHERE c.yj LIKE '2189%'
GROUP BY p.sex, p.birth_year
ORDER BY users DESC;

-- Antibiotics (classes 6132, 6149, 6241) in acute upper respiratory infection: how often, by month?
SELECT claim_month,
       count(*) AS uri_claims,
       count(*) FILTER (WHERE substr(yj, 1, 4) IN ('6132', '6149', '6241')) AS with_antibiotic
FROM claims
WHERE icd10 IN ('J02', 'J03', 'J06', 'J20')
GROUP BY claim_month
ORDER BY claim_month;

-- Which ingredients are used in hypertension?
SELECT substr(yj, 1, 7) AS ingredient, count(DISTINCT pid) AS patients, sum(days) AS treatment_days
FROM claims
WHERE icd10 = 'I10' AND yj IS NOT NULL
GROUP BY 1
HAVING count(DISTINCT pid) >= 10
ORDER BY patients DESC;

-- Injected and external drugs: route by the three digits after the class.
SELECT CASE WHEN substr(yj, 5, 3) < '400' THEN 'oral'
            WHEN substr(yj, 5, 3) < '700' THEN 'injection'
            ELSE 'external' END AS route,
       count(*) AS prescriptions,
       count(DISTINCT pid) AS patients,
       sum(points) AS points
FROM claims
WHERE yj IS NOT NULL
GROUP BY 1;

-- Insulin users among people with diabetes of type 1 and type 2.
SELECT icd10,
       count(DISTINCT pid) AS patients,
       count(DISTINCT CASE WHEN yj LIKE '2492%' THEN pid END) AS insulin_users
FROM claims
WHERE icd10 IN ('E10', 'E11')
GROUP BY icd10;

-- Cost of cancer drugs (4291) by cancer site.
SELECT icd10, count(DISTINCT pid) AS patients, sum(points) AS points, avg(points) AS mean_points
FROM claims
WHERE yj LIKE '4291%' AND icd10 IN ('C16', 'C18', 'C25', 'C34', 'C50', 'C61')
GROUP BY icd10
ORDER BY points DESC;

-- Polypharmacy: how many people received five or more drug classes in the fiscal year 2024, by birth cohort?
SELECT p.birth_year, count(*) AS persons_with_drugs,
       sum(CASE WHEN t.classes >= 5 THEN 1 ELSE 0 END) AS five_or_more
FROM (
    SELECT pid, count(DISTINCT substr(yj, 1, 4)) AS classes
    FROM claims
    WHERE yj IS NOT NULL AND claim_month >= DATE '2024-04-01'
    GROUP BY pid
) t
JOIN persons p ON p.pid = t.pid
GROUP BY p.birth_year
ORDER BY p.birth_year;

-- Benzodiazepine-like hypnotics (1124) and antidepressants (1174): both, either, by sex.
WITH drugs AS (
    SELECT pid,
           bool_or(yj LIKE '1124%') AS hypnotic,
           bool_or(yj LIKE '1174%') AS antidepressant
    FROM claims
    GROUP BY pid
)
SELECT p.sex, d.hypnotic, d.antidepressant, count(*) AS persons
FROM drugs d JOIN persons p USING (pid)
GROUP BY p.sex, d.hypnotic, d.antidepressant;

-- First-line drug class in newly treated diabetes: class of the first antidiabetic prescription of each person.
SELECT drug_class, count(*) AS new_users
FROM (
    SELECT pid, substr(yj, 1, 4) AS drug_class,
           row_number() OVER (PARTITION BY pid ORDER BY claim_month, yj) AS rn
    FROM claims
    WHERE substr(yj, 1, 4) IN ('3961', '3962', '3969', '2492')
) first_rx
WHERE rn = 1
GROUP BY drug_class
ORDER BY new_users DESC;

-- Persistence: in how many different months did statin users receive a statin?
SELECT months, count(*) AS users
FROM (
    SELECT pid, count(DISTINCT claim_month) AS months
    FROM claims
    WHERE yj LIKE '2189%'
    GROUP BY pid
) AS m
GROUP BY months
ORDER BY months;

-- Antiallergics (4490) in spring and in the other months.
SELECT CASE WHEN extract(month FROM claim_month) IN (2, 3, 4) THEN 'spring' ELSE 'other' END AS season,
       count(*) AS prescriptions,
       count(DISTINCT pid) AS patients
FROM claims
WHERE yj LIKE '4490%'
GROUP BY 1;
